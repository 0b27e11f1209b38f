// Lets functions go without a body.
