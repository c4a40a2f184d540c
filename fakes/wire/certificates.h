/*
 * certificates.h - an authority of one's own, and certificates of it, made in memory.
 */
#ifndef FAKES_WIRE_CERTIFICATES_H
#define FAKES_WIRE_CERTIFICATES_H

#include <stdbool.h>
#include <stddef.h>

struct fake_authority;

/* What a certificate says. */
enum fake_validity { FAKE_VALID, FAKE_EXPIRED, FAKE_NOT_YET_VALID, FAKE_FOR_ANOTHER_HOST };

/* PEM texts, ended by NUL. */
struct fake_identity {
  char *certificate, *key;
  size_t certificate_length, key_length; /* without the NUL */
};

/* A new authority with an EC P-256 key that exists nowhere else. NULL: no memory. */
struct fake_authority *fake_authority_create(void);
void fake_authority_destroy(struct fake_authority *authority);

/* Its own certificate, which clients have to trust; lives as long as it. */
const char *fake_authority_pem(const struct fake_authority *authority);

/* A certificate for `host`, a name or an IP address. False: no memory. */
bool fake_identity_issue(const struct fake_authority *authority, const char *host,
                         enum fake_validity validity, struct fake_identity *identity);
/* The same for `host`, and for localhost and 127.0.0.1 as well. */
bool fake_identity_issue_local(const struct fake_authority *authority, const char *host,
                               struct fake_identity *identity);
void fake_identity_deinit(struct fake_identity *identity);

#endif
