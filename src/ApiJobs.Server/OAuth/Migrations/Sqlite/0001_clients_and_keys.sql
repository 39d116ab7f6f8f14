-- OpenIddict's tables under our names, and the keys that sign access tokens.

CREATE TABLE oauth_clients (
    id TEXT NOT NULL PRIMARY KEY,
    company_id TEXT NOT NULL,
    revoked_at TEXT,
    application_type TEXT,
    client_id TEXT,
    client_secret TEXT,
    client_type TEXT,
    concurrency_token TEXT,
    consent_type TEXT,
    display_name TEXT,
    display_names TEXT,
    json_web_key_set TEXT,
    permissions TEXT,
    post_logout_redirect_uris TEXT,
    properties TEXT,
    redirect_uris TEXT,
    requirements TEXT,
    settings TEXT
);

CREATE TABLE oauth_scopes (
    id TEXT NOT NULL PRIMARY KEY,
    concurrency_token TEXT,
    description TEXT,
    descriptions TEXT,
    display_name TEXT,
    display_names TEXT,
    name TEXT,
    properties TEXT,
    resources TEXT
);

CREATE TABLE oauth_signing_keys (
    generation INTEGER NOT NULL PRIMARY KEY,
    kid TEXT NOT NULL,
    private_key BLOB NOT NULL,
    is_encrypted INTEGER NOT NULL,
    created_at TEXT NOT NULL
);

CREATE TABLE oauth_authorizations (
    id TEXT NOT NULL PRIMARY KEY,
    application_id TEXT,
    concurrency_token TEXT,
    creation_date TEXT,
    properties TEXT,
    scopes TEXT,
    status TEXT,
    subject TEXT,
    type TEXT,
    FOREIGN KEY (application_id) REFERENCES oauth_clients (id)
);

CREATE TABLE oauth_tokens (
    id TEXT NOT NULL PRIMARY KEY,
    application_id TEXT,
    authorization_id TEXT,
    concurrency_token TEXT,
    creation_date TEXT,
    expiration_date TEXT,
    payload TEXT,
    properties TEXT,
    redemption_date TEXT,
    reference_id TEXT,
    status TEXT,
    subject TEXT,
    type TEXT,
    FOREIGN KEY (authorization_id) REFERENCES oauth_authorizations (id),
    FOREIGN KEY (application_id) REFERENCES oauth_clients (id)
);

CREATE INDEX ix_oauth_authorizations_application_id_status_subject_type ON oauth_authorizations (application_id, status, subject, type);

CREATE UNIQUE INDEX ix_oauth_clients_client_id ON oauth_clients (client_id);

CREATE UNIQUE INDEX ix_oauth_scopes_name ON oauth_scopes (name);

CREATE UNIQUE INDEX ix_oauth_signing_keys_kid ON oauth_signing_keys (kid);

CREATE INDEX ix_oauth_tokens_application_id_status_subject_type ON oauth_tokens (application_id, status, subject, type);

CREATE INDEX ix_oauth_tokens_authorization_id ON oauth_tokens (authorization_id);

CREATE UNIQUE INDEX ix_oauth_tokens_reference_id ON oauth_tokens (reference_id);
