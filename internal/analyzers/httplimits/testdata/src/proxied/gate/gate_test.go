package gate

import (
	"net/http"
	"time"
)

var short = &http.Server{ReadTimeout: time.Second, IdleTimeout: time.Second}
