/*
 * xml.h - text as XML: what XML gives a meaning is escaped, what it forbids is replaced.
 *
 * Control characters become their pictures (U+2400 and on), bytes that are no UTF-8 become
 * U+FFFD. */
#ifndef REPORTS_XML_H
#define REPORTS_XML_H

#include <stddef.h>
#include <stdio.h>

/* In an element. Errors of writing are the stream's: ask ferror(). */
void rep_xml_text(FILE *file, const char *text);
/* Within the quotes of an attribute. */
void rep_xml_value(FILE *file, const char *text, size_t length);
/* ` name="value"` */
void rep_xml_attribute(FILE *file, const char *name, const char *value);

#endif
