package token

const Size = 32

type Token [Size]byte
