package low

import "unsafe"

// Pointer is for the packages around.
func Pointer() unsafe.Pointer { return nil }

// Text shares.
func Text(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) } // want Text:`aliases\[0\]`
