package authv1

type Client interface{ Verify(string) error }
