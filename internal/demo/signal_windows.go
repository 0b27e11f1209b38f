package demo

import "os"

// terminateSignal ends a process; Windows has no signal that asks for it.
var terminateSignal = os.Kill
