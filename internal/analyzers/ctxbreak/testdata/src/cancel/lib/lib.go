// Package lib has functions that are given a cancel function.
package lib

import "context"

func Ignores(name string, cancel context.CancelFunc) { println(name) } // want Ignores:`ignores\[1\]`

func Calls(cancel context.CancelFunc) { defer cancel() }

func Keeps(list *[]func(), cancel func()) { *list = append(*list, cancel) }

func Blank(_ func()) {} // want Blank:`ignores\[0\]`

func CauseIgnored(context.CancelCauseFunc) {} // want CauseIgnored:`ignores\[0\]`
