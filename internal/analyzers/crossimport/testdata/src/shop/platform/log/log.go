package log

import _ "log/slog"
