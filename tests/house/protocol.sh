#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# doc/PROTOCOL.keep.md tells every message field by field; lib/wire is what it must agree with.
. "${top_srcdir:-.}/tests/house/lib.sh"

# What the code says, in the words of the document: a row for each group, ask and order.
in_code() {
	cat "$1/lib/wire/messages.h" "$1/lib/wire/verbs.h" | python3 -c '
import re, sys
text = re.sub(r"/\*.*?\*/", "", sys.stdin.read(), flags=re.S).replace("\\\n", " ")
lists = {m[1]: re.findall(r"F\((\w+), (\w+)\)|FIELDS_(\w+)\(F\)", m[2])
         for m in re.finditer(r"#define FIELDS_(\w+)\(F\)(.*)", text)}
def fields(name):
    return ", ".join("`%s %s`" % f[:2] if f[0] else "*%s*" % f[2] for f in lists.pop(name)) or "nothing"
for m in re.finditer(r"VERB\((\d+), (\w+), (\w+), PHASE_(\w+), (\d+)\)", text):
    number, upper, name, phase, fds = m.groups()
    print("| %s %s | %s | %s | %s | %s |" % (number, upper, phase, fields("ask_" + name),
                                             fields("answer_" + name), fds))
for number, upper, name in re.findall(r"ORDER\((\d+), (\w+), (\w+)\)", text):
    print("| %s %s | %s |" % (number, upper, fields("order_" + name)))
for name in list(lists):
    print("| *%s* | %s |" % (name, fields(name)))
' | sort
}
in_document() { grep -E '^\| ([0-9]+ [A-Z_]+|\*[a-z_]+\*) \|' "$1/doc/PROTOCOL.keep.md" | sort; }
differ() { diff <(in_code "$1") <(in_document "$1") | sed -n 's/^< /not in the document: /p; s/^> /only in the document: /p'; }

printf '#define FIELDS_ask_stat(F) F(bytes, path)\n#define FIELDS_answer_stat(F) \\\n\tFIELDS_attrs(F)\n#define FIELDS_attrs(F) F(u8, kind)\n' |
	plant lib/wire/messages.h
printf '#define WIRE_ASKS(VERB) \\\n\tVERB(10, STAT, stat, PHASE_SESSION, 0)\n' | plant lib/wire/verbs.h
printf '| *attrs* | `u8 kind` |\n| 10 STAT | SESSION | `bytes path`, `u8 more` | *attrs* | 0 |\n' |
	plant doc/PROTOCOL.keep.md
caught 'a field that only the document has is found' differ 2
like 'the table is found' "$(in_document "$top_srcdir")" 'PUT_FINISH'
clean 'document and code tell the same messages' differ
done_testing
