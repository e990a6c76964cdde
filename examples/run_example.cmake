# cmake -DPROGRAM=... -DARGUMENTS=... -DEXPECTED=REGEX -P run_example.cmake
# Passes when the program ends with status 0, writes nothing to standard error, and its standard output matches EXPECTED
# and holds no carriage return and no escape code.
execute_process(COMMAND ${PROGRAM} ${ARGUMENTS} OUTPUT_VARIABLE output ERROR_VARIABLE errors RESULT_VARIABLE status)
message("${output}${errors}")
string(ASCII 27 escape)
string(ASCII 13 carriage_return)
string(FIND "${output}" "${escape}" escape_at)
string(FIND "${output}" "${carriage_return}" carriage_return_at)
if(NOT status STREQUAL "0" OR NOT errors STREQUAL "")
    message(FATAL_ERROR "ended with status ${status}, or wrote to standard error")
elseif(NOT escape_at EQUAL -1 OR NOT carriage_return_at EQUAL -1)
    message(FATAL_ERROR "terminal control characters in output that is no terminal")
elseif(NOT output MATCHES "${EXPECTED}")
    message(FATAL_ERROR "the output does not match ${EXPECTED}")
endif()
