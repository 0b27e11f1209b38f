package authority
