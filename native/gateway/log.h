/* What happened, a line each, on stderr. */
#ifndef GATEWAY_LOG_H
#define GATEWAY_LOG_H

__attribute__((format(printf, 1, 2))) void log_line(const char *format, ...);

/** "Failed to <format>: <cause of errnum>" */
__attribute__((format(printf, 2, 3))) void log_failure(int errnum, const char *format, ...);

#endif
