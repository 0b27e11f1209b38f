// Package sub is not the first of its module: nothing is said twice.
package sub
