/*
Package vendorcheck compares go.mod and go.work with the vendor folders beside
them, before a build: what the go command would refuse, what it would accept
and should not, and whether it would use the folder at all; and it proves each
vendored file against go.sum. It reads files only: it starts no process, opens
no connection and writes nothing.

# Rule independence

independence: a module does not build alone, or not of the same code as in the workspace

With GOWORK=off each module is on its own. The rule reports packages that a
module imports and that no module which it requires can provide, and, as a note
or where a replace is the cause as a warning, modules that the workspace takes in
another version or from elsewhere. With --build each module is really built and
vetted, with its own vendor/ where it has one.

# Why

In a workspace the requirements and replaces of all modules count for each: one
that has forgotten a requirement is green there and red when it ships.

# Wrong

	// order/go.mod does not require example.com/money, which auth/go.mod does
	import "example.com/money"

# Right

	$ cd order && GOWORK=off go mod tidy

# When not

A module that is never built alone. Disable the rule there.

# Rule lostreplace

lostreplace: a replace or exclude that has no effect in the module that is built

The rule looks at the go.mod files of the modules of the repository, and of
folders that replace a module, from the view of each module that uses them. It
reports a directive of theirs where the user gets other code than they have
alone, and a replacement whose target is replaced itself.

# Why

The go command reads these directives in the main module only. A library that
is tested with its fork ships with the original.

# Wrong

	// lib/go.mod
	replace example.com/quote => example.com/quote-fork v1.5.3
	// app/go.mod requires example.com/lib and says nothing about quote

# Right

	// app/go.mod
	replace example.com/quote => example.com/quote-fork v1.5.3

# When not

Where the user repeats the directive nothing is reported.

# Rule modulestxt

modulestxt: vendor/modules.txt is missing, malformed, or lists what is not there

A line of modules.txt that the go command does not understand it skips without
a word. The rule reports such lines, lines that nothing asks for, duplicates,
packages under a module that cannot hold them, listed packages without a folder
and folders with Go files that are not listed, tools that are not vendored, and
go versions that disagree with a local replacement's go.mod or are newer than
the toolchain. CR LF line ends, another order and unknown notes are warnings:
the go command reads them as they are meant.

# Why

modules.txt is the only thing that the go command reads to learn what vendor/
holds. A torn line, a merge conflict or an editor that cut the file off changes
which modules and packages a build knows, and the version of the language that
they are compiled with.

# Wrong

	# example.com/lib v1.2.0
	## explicit; go 1.21
	example.com/other/pkg

# Right

	# example.com/lib v1.2.0
	## explicit; go 1.21
	example.com/lib/pkg

# When not

A folder vendor/ that is not Go's, beside a go.mod without dependencies, is left
alone. The repair is always to run 'go mod vendor' or 'go work vendor' again,
never to edit the file.

# Rule replacedrift

replacedrift: a replace of go.mod or go.work and vendor/modules.txt do not agree

The rule looks at every replace directive, at go.work before the go.mod files,
at every line of modules.txt, and at directives that contradict each other. It
reports what is missing, what differs and what is not asked for.

# Why

The go command compares each directive with the one line of modules.txt that has
the same key, and only as text. It refuses to build on "./lib/" against "./lib",
and it builds without a word where the line of the module's version names
another target, or none, while the line for every version is right: then the
code in vendor/ is not what go.mod says it is.

# Wrong

	// go.mod
	replace example.com/lib => ../lib
	// vendor/modules.txt
	# example.com/lib v0.0.0 => ../lib-old

# Right

	// go.mod
	replace example.com/lib => ../lib
	// vendor/modules.txt
	# example.com/lib v0.0.0 => ../lib
	# example.com/lib => ../lib

# When not

Never: a build that is meant to ignore vendor/ has no use for it.

# Rule replaceintovendor

replaceintovendor: a replace points into a vendor folder, which 'go mod vendor' deletes

The rule knows relative and absolute paths, paths by way of a link or of another
spelling of the same folder, names that differ in case only, and the vendor
folders of other modules and of the workspace.

# Why

'go mod vendor' begins by removing vendor/ and then copies each module into it.
A replacement that lives in there is its own source: it is gone before it is
read, and the command fails afterwards. The go command refuses such a path only
in its plainest form, and only after the removal.

# Wrong

	replace example.com/lib => ./vendor/example.com/lib

# Right

	replace example.com/lib => ./third_party/lib

# When not

Never. Move the fork before you run 'go mod vendor'.

# Rule requiredrift

requiredrift: a require of go.mod and vendor/modules.txt do not agree

Each require has to stand in modules.txt with its version and the mark
"## explicit", and each marked module has to be required. From go 1.17 on go.mod
names every module that provides a package, too. Below go 1.14 the list has no
marks, and only another version of a vendored module counts. An exclude of the
very version that is required and vendored is reported as well.

# Why

The go command refuses to build where that does not hold for a module with
packages; for one without packages it says nothing, and go.mod and vendor/ drift
apart until someone vendors again.

# Wrong

	// go.mod
	require example.com/lib v1.3.0
	// vendor/modules.txt
	# example.com/lib v1.2.0
	## explicit; go 1.21

# Right

	// go.mod
	require example.com/lib v1.3.0
	// vendor/modules.txt
	# example.com/lib v1.3.0
	## explicit; go 1.21

# When not

Never.

# Rule stalevendor

stalevendor: vendor/ holds an older or other copy of a local replacement's folder

The rule compares the vendored files of a module that a folder replaces with
that folder, by the rules by which 'go mod vendor' copies. It names each file
that differs, is missing or is in vendor/ only, and which of two is newer by its
time. It also reports a folder that is not there, one whose go.mod is of another
module, and files that are symbolic links, which are never copied.

# Why

Nothing hashes the content behind a local replace: a vendored build goes on
compiling the copy of last month and exits with 0.

# Wrong

	replace example.com/lib => ../lib   // changed since 'go mod vendor'

# Right

	$ go mod vendor   // after each change of ../lib

# When not

What editors leave behind (.swp, names with ~) is not missed. A time says little
after a fresh clone; what differs does.

# Rule unproven

unproven: nothing at hand vouches for the vendored files of a module

A module that go.sum does not name, or of which neither the module cache nor a
manifest has the list of files. It is a note, and an error with --strict.

# Why

"Not found to be wrong" is not "right". A check that cannot look must say so.

# Wrong

	$ GOMODCACHE=/empty fractl vendor-check --strict

# Right

	$ go mod download && fractl vendor-check --write-manifest   // once
	$ GOMODCACHE=/empty fractl vendor-check --strict

# When not

Where vendor/ is proven elsewhere, for example in CI, the note can stay.

# Rule vendorbypass

vendorbypass: vendor/ is there, but a build here would not use it

The rule works out the effective -mod and names its source: -mod in GOFLAGS from
the environment, from 'go env -w' or from the toolchain's go.env, a go.work
above, GOWORK, a first line "## workspace" that does not fit the build, a go
line below 1.14 or none, vendor/ that is a file or a link to nowhere, and files
that -overlay puts in the place of vendored ones.

# Why

A build that reads the module cache although vendor/ is committed compiles code
that nobody reviewed, or fails where there is no network. The go command says
nothing about it.

# Wrong

	$ go env -w GOFLAGS=-mod=mod
	$ go build ./...

# Right

	$ go env -u GOFLAGS
	$ go build ./...

# When not

A module that keeps its own vendor/ for builds with GOWORK=off, in a repository
with a go.work for development, is reported as a warning. Run vendor-check with
GOWORK=off where it is built so.

# Rule vendorcontent

vendorcontent: a vendored file is not what go.sum vouches for, or was added or removed

Every file below vendor/ is hashed and compared with the list of files that the
module's hash in go.sum is made of. The list comes from the module cache's
folder, from its zip, or from a manifest, and proves itself: its own hash is the
one in go.sum. The rule reports each file that differs, is missing or was added,
symbolic links, names that differ in case only, and copies in the module cache
that are not what go.sum vouches for.

# Why

The go command compares no vendored file with anything, and a vendored build
does not open go.sum. One changed byte in vendor/ ships.

# Wrong

	$ sed -i s/true/false/ vendor/example.com/lib/auth.go

# Right

	$ go mod vendor

# When not

Files that tools put into vendor/, such as OWNERS, can be allowed in fractl.yaml:
'vendor: {allow: [OWNERS]}'. Code never can: fork the module and replace it.

# Rule versiondrift

versiondrift: modules of one repository select other versions or replacements of a module

One finding for each module of which the modules of the repository do not select
the same. By default versions may differ in the patch, which is a note. The
manifest says otherwise: 'vendor: {versions: {"*": same, "golang.org/x/*": off}}'.

# Why

Two fractions that exchange data through a library agree only as long as they
have the same of it. Two replacements of one module are fatal as soon as
both modules are in one workspace.

# Wrong

	// auth/go.mod
	require example.com/money v1.4.0
	// order/go.mod
	require example.com/money v1.2.0

# Right

	require example.com/money v1.4.0   // in both

# When not

Fractions that are meant to move at their own pace: 'off' for these modules.
*/
package vendorcheck
