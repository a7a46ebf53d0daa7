-- Keys of providers that an administrator has written. Each is sealed by a key that is in a file and not here, together
-- with the account and the address that it is for: at another address it opens nothing.
CREATE TABLE provider_keys (
    account    TEXT    NOT NULL PRIMARY KEY, -- PROVIDER/ACCOUNT, as pools begin
    address    TEXT    NOT NULL,
    sealed     BLOB    NOT NULL,
    written_at INTEGER NOT NULL,
    written_by TEXT    NOT NULL REFERENCES users (id)
) STRICT, WITHOUT ROWID;
