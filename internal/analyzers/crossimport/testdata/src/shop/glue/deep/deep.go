package deep

import "example.com/shop/auth/token"

// Token hands the other fraction's type on.
type Token = token.Token
