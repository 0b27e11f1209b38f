package authv1

// Q is in nobody's code.
const Q = "SELECT * FROM sessions"
