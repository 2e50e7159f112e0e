/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/messages.h"

#define PUT_u8(name)    write_u8(w, m->name);
#define PUT_u16(name)   write_u16(w, m->name);
#define PUT_u32(name)   write_u32(w, m->name);
#define PUT_u64(name)   write_u64(w, m->name);
#define PUT_i64(name)   write_u64(w, (uint64_t)m->name);
#define PUT_bytes(name) write_bytes(w, m->name);
#define PUT_id(name)    write_raw(w, m->name, sizeof m->name);
#define PUT_hash(name)  write_raw(w, m->name, sizeof m->name);
#define PUT_key(name)   write_raw(w, m->name, sizeof m->name);
#define PUT(kind, name) PUT_##kind(name)

#define GET_u8(name)    m.name = read_u8(r);
#define GET_u16(name)   m.name = read_u16(r);
#define GET_u32(name)   m.name = read_u32(r);
#define GET_u64(name)   m.name = read_u64(r);
#define GET_i64(name)   m.name = (int64_t)read_u64(r);
#define GET_bytes(name) m.name = read_bytes(r);
#define GET_id(name)    read_into(r, m.name, sizeof m.name);
#define GET_hash(name)  read_into(r, m.name, sizeof m.name);
#define GET_key(name)   read_into(r, m.name, sizeof m.name);
#define GET(kind, name) GET_##kind(name)

/* The message is built on the side, so that ret_message stays untouched on failure. A
 * message without fields leaves m and w unused. */
#define DEFINE_MESSAGE(x)                                                      \
	void x##_write(struct writer *w, const struct x *m)                    \
	{                                                                      \
		(void)w;                                                       \
		(void)m;                                                       \
		FIELDS_##x(PUT)                                                \
	}                                                                      \
	static struct x x##_take(struct reader *r)                             \
	{                                                                      \
		struct x m;                                                    \
		memset(&m, 0, sizeof m);                                       \
		(void)r;                                                       \
		FIELDS_##x(GET) return m;                                      \
	}                                                                      \
	int x##_read(struct view body, struct x *ret_message)                  \
	{                                                                      \
		struct reader r = reader_of(body);                             \
		struct x m = x##_take(&r);                                     \
		if (!reader_end(&r))                                           \
			return fail(E_PROTOCOL, "malformed message '" #x "'"); \
		*ret_message = m;                                              \
		return 0;                                                      \
	}

#define DEFINE_PAIR(name)          \
	DEFINE_MESSAGE(ask_##name) \
	DEFINE_MESSAGE(answer_##name)

DEFINE_MESSAGE(gate_settings)
DEFINE_MESSAGE(attrs)
DEFINE_MESSAGE(entry)
DEFINE_MESSAGE(lease)
#define VERB(number, NAME, name, phase, fds) DEFINE_PAIR(name)
WIRE_ASKS(VERB)
#undef VERB
#define ORDER(number, NAME, name) DEFINE_MESSAGE(order_##name)
WIRE_ORDERS(ORDER)
#undef ORDER

bool entry_next(struct reader *r, struct entry *ret_entry)
{
	if (r->bad || r->left == 0)
		return false;
	struct entry e = entry_take(r);
	if (r->bad)
		return false;
	*ret_entry = e;
	return true;
}
