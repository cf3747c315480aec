// For the static program: the functions of libcurl that HDF5's reader of Amazon S3 refers to, each of which fails.
// wansweep opens files of file systems only, so that none is ever called.
#include <stddef.h>

int curl_global_init(long flags) { return (void)flags, 2; }
void curl_global_cleanup(void) {}
void* curl_easy_init(void) { return NULL; }
int curl_easy_setopt(void* handle, int option, ...) { return (void)handle, (void)option, 2; }
int curl_easy_perform(void* handle) { return (void)handle, 2; }
void curl_easy_cleanup(void* handle) { (void)handle; }
void* curl_slist_append(void* list, const char* text) { return (void)list, (void)text, NULL; }
void curl_slist_free_all(void* list) { (void)list; }
