package auth

import _ "example.com/inferred/auth/token"
