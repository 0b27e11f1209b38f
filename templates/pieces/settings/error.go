package settings

// Error is one fault in the settings.
type Error struct {
	// Where is the place: FILE:LINE, the name of an environment variable, or
	// --set. It is empty where a default is at fault.
	Where string
	// Key is the full key, or "" where the fault is about none.
	Key string
	// Fact says what is wrong.
	Fact string
	// Hint is the next step, or "".
	Hint string
	// Err is the cause, or nil.
	Err error
}

// Error is "WHERE: KEY: FACT (HINT)".
func (e *Error) Error() string {
	text := e.Fact
	if e.Key != "" {
		text = e.Key + ": " + text
	}
	if e.Where != "" {
		text = e.Where + ": " + text
	}
	if e.Hint != "" {
		text += " (" + e.Hint + ")"
	}
	return text
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }
