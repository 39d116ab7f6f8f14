-- OpenIddict's tables under our names, and the keys that sign access tokens.

CREATE TABLE oauth_clients (
    id text NOT NULL,
    company_id uuid NOT NULL,
    revoked_at timestamptz,
    application_type varchar(50),
    client_id varchar(100),
    client_secret text,
    client_type varchar(50),
    concurrency_token varchar(50),
    consent_type varchar(50),
    display_name text,
    display_names text,
    json_web_key_set text,
    permissions text,
    post_logout_redirect_uris text,
    properties text,
    redirect_uris text,
    requirements text,
    settings text,
    PRIMARY KEY (id)
);

CREATE TABLE oauth_scopes (
    id text NOT NULL,
    concurrency_token varchar(50),
    description text,
    descriptions text,
    display_name text,
    display_names text,
    name varchar(200),
    properties text,
    resources text,
    PRIMARY KEY (id)
);

CREATE TABLE oauth_signing_keys (
    generation integer NOT NULL,
    kid text NOT NULL,
    private_key bytea NOT NULL,
    is_encrypted boolean NOT NULL,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (generation)
);

CREATE TABLE oauth_authorizations (
    id text NOT NULL,
    application_id text,
    concurrency_token varchar(50),
    creation_date timestamptz,
    properties text,
    scopes text,
    status varchar(50),
    subject varchar(400),
    type varchar(50),
    PRIMARY KEY (id),
    FOREIGN KEY (application_id) REFERENCES oauth_clients (id)
);

CREATE TABLE oauth_tokens (
    id text NOT NULL,
    application_id text,
    authorization_id text,
    concurrency_token varchar(50),
    creation_date timestamptz,
    expiration_date timestamptz,
    payload text,
    properties text,
    redemption_date timestamptz,
    reference_id varchar(100),
    status varchar(50),
    subject varchar(400),
    type varchar(150),
    PRIMARY KEY (id),
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
