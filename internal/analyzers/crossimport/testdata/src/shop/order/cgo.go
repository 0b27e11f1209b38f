package order

/*
#cgo CFLAGS: -I${SRCDIR}/../auth/c -I../contracts // want `fraction order includes auth/c of fraction auth`
#include "../auth/c/token.h" // want `fraction order includes auth/c/token.h of fraction auth`
#include "own.h"
#include <stdlib.h>
*/
import "C"

import _ "example.com/shop/auth/token" // want `fraction order imports example.com/shop/auth/token of fraction auth`
