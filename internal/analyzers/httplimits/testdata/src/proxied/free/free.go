package free

import (
	"net/http"
	"time"
)

// No proxy is declared for this fraction.
var short = &http.Server{ReadTimeout: time.Second, WriteTimeout: time.Second, IdleTimeout: time.Second}
