// SPDX-License-Identifier: GPL-2.0
/* JSON: one schema for all commands, cxlmemctl(1) describes it. */
#include <inttypes.h>

#include "tool.h"

/* Length of the UTF-8 character that begins here, 0 if none does. */
static size_t character(const unsigned char *c)
{
	size_t len = c[0] < 0x80 ? 1 : c[0] < 0xc2 ? 0 : c[0] < 0xe0 ? 2 : c[0] < 0xf0 ? 3 :
		     c[0] < 0xf5 ? 4 : 0;
	size_t i;

	for (i = 1; i < len; i++)
		if ((c[i] & 0xc0) != 0x80)
			return 0;
	/* Written longer than need be, surrogates, and what is beyond Unicode. */
	if ((c[0] == 0xe0 && c[1] < 0xa0) || (c[0] == 0xed && c[1] > 0x9f) ||
	    (c[0] == 0xf0 && c[1] < 0x90) || (c[0] == 0xf4 && c[1] > 0x8f))
		return 0;
	return len;
}

/* Names and arguments may hold any bytes, JSON may not: what is no character becomes "?". */
struct json_object *json_text(const char *text)
{
	struct json_object *o;
	char *copy, *c;

	if (!text || !*text)
		return NULL;
	copy = strdup(text);
	for (c = copy; c && *c;) {
		size_t len = character((unsigned char *)c);

		if (!len)
			*c = '?';
		c += len ? len : 1;
	}
	o = copy ? json_object_new_string(copy) : NULL;
	free(copy);
	return o;
}

static struct json_object *amount(int64_t value)
{
	return value < 0 ? NULL : json_object_new_int64(value);
}

static struct json_object *words(const char *text)
{
	struct json_object *array = json_object_new_array();

	while (*text) {
		size_t len = strcspn(text, " ");

		json_object_array_add(array, json_object_new_string_len(text, len));
		text += len;
		text += strspn(text, " ");
	}
	return array;
}

static struct json_object *memmap(struct cxlmem_device *dev)
{
	int value = cxlmem_device_get_memmap(dev);

	return value < 0 ? NULL : json_object_new_string(value ? "device" : "host");
}

static struct json_object *serial(struct cxlmem_device *dev)
{
	uint64_t value = cxlmem_device_get_serial(dev);
	char text[32];

	snprintf(text, sizeof(text), "%#" PRIx64, value);
	return value ? json_object_new_string(text) : NULL;
}

struct json_object *json_device(struct cxlmem_device *dev)
{
	struct json_object *o = json_object_new_object();
	uint64_t size = cxlmem_device_get_size(dev), usable = cxlmem_device_get_usable_size(dev);

#define ADD(key, value) json_object_object_add(o, key, value)
	ADD("name", json_text(cxlmem_device_get_name(dev)));
	ADD("kind", json_text(cxlmem_device_get_kind(dev)));
	ADD("parent", json_text(cxlmem_device_get_parent(dev)));
	ADD("driver", json_text(cxlmem_device_get_driver(dev)));
	ADD("mode", json_text(cxlmem_device_get_mode(dev)));
	ADD("modes", words(cxlmem_device_get_modes(dev)));
	ADD("state", json_text(cxlmem_device_get_state(dev)));
	ADD("start", json_object_new_uint64(cxlmem_device_get_start(dev)));
	ADD("size", json_object_new_uint64(size));
	ADD("usable_start", json_object_new_uint64(cxlmem_device_get_usable_start(dev)));
	ADD("usable_size", json_object_new_uint64(usable));
	ADD("trimmed", json_object_new_uint64(size > usable ? size - usable : 0));
	ADD("node", amount(cxlmem_device_get_node(dev)));
	ADD("zone", json_text(cxlmem_device_get_zone(dev)));
	ADD("memmap", memmap(dev));
	ADD("online", json_object_new_uint64(cxlmem_device_get_online(dev)));
	ADD("offline", json_object_new_uint64(cxlmem_device_get_offline(dev)));
	ADD("used", amount(cxlmem_device_get_used(dev)));
	ADD("free", amount(cxlmem_device_get_free(dev)));
	ADD("capacity", json_object_new_uint64(cxlmem_device_get_capacity(dev)));
	ADD("policy", json_text(cxlmem_device_get_policy(dev)));
	ADD("quota", amount(cxlmem_device_get_quota(dev)));
	ADD("lend", cxlmem_device_get_lend(dev) < 0 ? NULL :
	    json_object_new_boolean(cxlmem_device_get_lend(dev)));
	ADD("claimed", json_object_new_uint64(cxlmem_device_get_claimed(dev)));
	ADD("distance", amount(cxlmem_device_get_distance(dev)));
	ADD("read_latency_ns", amount(cxlmem_device_get_read_latency(dev)));
	ADD("read_bandwidth_mbps", amount(cxlmem_device_get_read_bandwidth(dev)));
	ADD("tier", amount(cxlmem_device_get_tier(dev)));
	ADD("source", json_text(cxlmem_device_get_source(dev)));
	ADD("serial", serial(dev));
#undef ADD
	return o;
}

void print_json(struct json_object *object)
{
	puts(json_object_to_json_string_ext(object, JSON_C_TO_STRING_PRETTY |
					    JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(object);
}
