# cmake -DPROGRAM=... -DPAGE=... -P check_docs.cmake: passes when the page holds all that the program prints. Times such as
# "0.0112 s" may differ.
execute_process(COMMAND ${PROGRAM} OUTPUT_VARIABLE output RESULT_VARIABLE status)
file(READ ${PAGE} page)
string(REGEX REPLACE "[0-9]+\\.[0-9]+ s " "TIME " page "${page}")
string(REGEX REPLACE "[0-9]+\\.[0-9]+ s " "TIME " output "${output}")
string(FIND "${page}" "${output}" at)
if(NOT status STREQUAL "0" OR output STREQUAL "" OR at EQUAL -1)
    message(FATAL_ERROR "${PAGE} does not show this:\n${output}")
endif()
