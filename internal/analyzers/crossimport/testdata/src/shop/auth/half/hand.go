package half

// Written by hand: one such file makes the package code of the fraction.
