/* SPDX-License-Identifier: Apache-2.0 */
#include "tlog/note.h"

#include "base/mem.h"
#include "base/text.h"
#include "tlog/line.h"

/* A signature line: em dash, space, key name, space, base64(id || signature). */
#define EM_DASH_SPACE "\xe2\x80\x94 "

enum { ID_SIZE = 4 };

static uint32_t get32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* "MUST be valid UTF-8 and MUST NOT contain any ASCII control characters (those below
 * U+0020) other than newline": DEL and C1 are allowed. */
static bool characters_valid(struct view t)
{
	for (size_t i = 0; i < t.len; i++)
		if (t.data[i] < 0x20 && t.data[i] != '\n')
			return false;
	return utf8_valid(t);
}

static int bad_note(const char *why)
{
	return fail(E_INVALID, "not a signed note: %s", why);
}

/* The text ends before the last empty line, and may hold empty lines itself. */
static bool split_note(struct view note, struct view *ret_text, struct view *ret_signatures)
{
	for (size_t i = note.len; i-- > 1;) {
		if (note.data[i] != '\n' || note.data[i - 1] != '\n')
			continue;
		*ret_text = view_of(note.data, i);
		*ret_signatures = view_of(note.data + i + 1, note.len - i - 1);
		return true;
	}
	return false;
}

static int parse_signature(struct view line, struct tlog_signature *ret_signature)
{
	CLEANUP(buf_done) struct buf bytes = {0};
	const uint8_t *space;

	if (!tlog_line_skip(&line, EM_DASH_SPACE))
		return bad_note("a signature line without its dash");
	space = line.len ? memchr(line.data, ' ', line.len) : NULL;
	if (!space)
		return bad_note("a signature line without signature");

	struct view name = view_of(line.data, (size_t)(space - line.data));
	struct view base64 = view_of(space + 1, line.len - name.len - 1);
	if (!tlog_key_name_valid(name))
		return bad_note("a signature of no key name");
	int rc = base64_decode(base64, BASE64_PADDED, &bytes);
	if (rc)
		return rc == E_INVALID ? bad_note("a signature that is not base64") : rc;
	if (bytes.len <= ID_SIZE)
		return bad_note("a signature that is too short");
	*ret_signature = (struct tlog_signature){
	    .name = name, .id = get32(bytes.data), .base64 = base64, .by = NULL};
	return 0;
}

static int parse_into(struct view bytes, struct tlog_note *note)
{
	struct view rest = {0}, line = {0};

	if (bytes.len > TLOG_NOTE_MAX)
		return fail(E_LIMIT, "a note of more than %d bytes", TLOG_NOTE_MAX);
	if (!characters_valid(bytes))
		return bad_note("characters that it must not have");
	if (!split_note(bytes, &note->text, &rest))
		return bad_note("no empty line before the signatures");
	note->n_signatures = 0;
	while (tlog_line_take(&rest, &line)) {
		if (note->n_signatures == TLOG_SIGNATURES_MAX)
			return fail(E_LIMIT, "a note of more than %d signatures",
				    TLOG_SIGNATURES_MAX);
		int rc = parse_signature(line, &note->signature[note->n_signatures]);
		if (rc)
			return rc;
		note->n_signatures++;
	}
	if (rest.len)
		return bad_note("the last line has no end");
	return note->n_signatures ? 0 : bad_note("no signature");
}

int tlog_note_parse(struct view note, struct tlog_note *ret_note)
{
	struct tlog_note parsed = {.n_signatures = 0};
	int rc = parse_into(note, &parsed);

	if (!rc)
		*ret_note = parsed;
	return rc;
}

/* The key that the name and the id stand for; two of them would make it a guess. */
static int find_known(const struct tlog_signature *s, struct tlog_verifier *const *known,
		      size_t n_known, const struct tlog_verifier **ret_verifier)
{
	const struct tlog_verifier *found = NULL;

	for (size_t i = 0; i < n_known; i++) {
		if (tlog_verifier_id(known[i]) != s->id ||
		    !view_equal(tlog_verifier_name(known[i]), s->name))
			continue;
		if (found)
			return fail(E_INVALID, "two known keys with one name and id");
		found = known[i];
	}
	*ret_verifier = found;
	return 0;
}

static int verify_signature(struct view text, struct tlog_verifier *const *known, size_t n_known,
			    struct tlog_signature *s)
{
	CLEANUP(buf_done) struct buf bytes = {0};
	const struct tlog_verifier *by = NULL;
	int rc = find_known(s, known, n_known, &by);

	if (rc || !by)
		return rc;
	rc = base64_decode(s->base64, BASE64_PADDED, &bytes);
	if (!rc)
		rc = tlog_verifier_check(by, text,
					 view_of(bytes.data + ID_SIZE, bytes.len - ID_SIZE));
	if (!rc)
		s->by = by;
	return rc;
}

int tlog_note_open(struct view note, struct tlog_verifier *const *known, size_t n_known,
		   struct tlog_note *ret_note)
{
	struct tlog_note parsed = {.n_signatures = 0};
	bool believed = false;
	int rc = parse_into(note, &parsed);

	for (size_t i = 0; !rc && i < parsed.n_signatures; i++) {
		rc = verify_signature(parsed.text, known, n_known, &parsed.signature[i]);
		believed |= parsed.signature[i].by != NULL;
	}
	if (!rc && !believed)
		rc = fail(E_INTEGRITY, "no known key has signed the note");
	if (!rc)
		*ret_note = parsed;
	return rc;
}

static int add_signature_line(struct view text, const struct tlog_signer *by, struct buf *out)
{
	const struct tlog_verifier *self = tlog_signer_verifier(by);
	struct view name = tlog_verifier_name(self);
	uint32_t id = tlog_verifier_id(self);
	uint8_t bytes[ID_SIZE + TLOG_ED25519_SIZE] = {(uint8_t)(id >> 24), (uint8_t)(id >> 16),
						      (uint8_t)(id >> 8), (uint8_t)id};
	int rc = tlog_signer_sign(by, text, bytes + ID_SIZE);

	if (!rc)
		rc = buf_add_text(out, EM_DASH_SPACE);
	if (!rc)
		rc = buf_add(out, name.data, name.len);
	if (!rc)
		rc = buf_add(out, " ", 1);
	if (!rc)
		rc = base64_encode(view_of(bytes, sizeof bytes), BASE64_PADDED, out);
	return rc ? rc : buf_add(out, "\n", 1);
}

static int check_text(struct view text)
{
	if (text.len == 0 || text.data[text.len - 1] != '\n')
		return fail(E_INVALID, "a text to be signed ends in a newline");
	if (text.len > TLOG_NOTE_MAX / 2)
		return fail(E_LIMIT, "a text of more than %d bytes", TLOG_NOTE_MAX / 2);
	return characters_valid(text) ? 0 : fail(E_INVALID, "a text that may not be signed");
}

int tlog_note_add_signature(struct view text, const struct tlog_signer *by, struct buf *out)
{
	size_t before = out->len;
	int rc = check_text(text);

	if (!rc)
		rc = add_signature_line(text, by, out);
	if (rc)
		out->len = before;
	return rc;
}

int tlog_note_sign(struct view text, const struct tlog_signer *by, struct buf *out)
{
	size_t before = out->len;
	int rc = check_text(text);

	if (!rc)
		rc = buf_add(out, text.data, text.len);
	if (!rc)
		rc = buf_add(out, "\n", 1);
	if (!rc)
		rc = add_signature_line(text, by, out);
	if (rc)
		out->len = before;
	return rc;
}
