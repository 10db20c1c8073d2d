// SPDX-License-Identifier: GPL-2.0
/* cxlmemctl doctor: what on this machine will get in the way. */
#include "tool.h"

static const char *const words[] = {
	[CXLMEM_OK] = "ok",
	[CXLMEM_NOTE] = "note",
	[CXLMEM_PROBLEM] = "problem",
};

static void print_finding(const struct cxlmem_finding *finding, void *data)
{
	(void)data;
	printf("%-8s %s: %s\n", words[finding->severity], finding->check, finding->text);
	if (finding->fix)
		printf("%-8s   to change that: %s\n", "", finding->fix);
}

static void collect_finding(const struct cxlmem_finding *finding, void *data)
{
	struct json_object *o = json_object_new_object();

	json_object_object_add(o, "severity", json_text(words[finding->severity]));
	json_object_object_add(o, "check", json_text(finding->check));
	json_object_object_add(o, "text", json_text(finding->text));
	json_object_object_add(o, "fix", json_text(finding->fix));
	json_object_array_add(data, o);
}

int cmd_doctor(struct tool *t, int argc, char **argv)
{
	struct json_object *o, *findings;
	int problems;

	(void)argc;
	(void)argv;
	if (!t->json) {
		problems = cxlmem_doctor(t->ctx, print_finding, NULL);
	} else {
		findings = json_object_new_array();
		problems = cxlmem_doctor(t->ctx, collect_finding, findings);
		o = json_object_new_object();
		json_object_object_add(o, "schema", json_object_new_int(JSON_SCHEMA));
		json_object_object_add(o, "problems", json_object_new_int(problems));
		json_object_object_add(o, "findings", findings);
		print_json(o);
	}
	if (problems < 0)
		return library_failed(t);
	return problems ? EXIT_FAILED : EXIT_DONE;
}
