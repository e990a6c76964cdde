# Test: the programs that measure dense products print one JSON line a shape, with the rate of every turn, and refuse what
# is no shape.
#   cmake -DPROGRAM=bench_matmul_f32_c -P check_products.cmake
execute_process(COMMAND ${PROGRAM} --threads 1 --samples 2 --json forward 3 20 40 weight 9 17 5 OUTPUT_VARIABLE text
    RESULT_VARIABLE status)
string(REGEX MATCHALL "[^\n]+" lines "${text}")
list(LENGTH lines count)
if(NOT status EQUAL 0 OR NOT count EQUAL 2)
    message(FATAL_ERROR "status ${status} and ${count} lines: ${text}")
endif()
list(GET lines 1 line)
string(JSON label GET "${line}" label)
string(JSON rate GET "${line}" ours 0)
string(JSON turns LENGTH "${line}" ours)
if(NOT label STREQUAL "weight 9x17x5" OR NOT rate GREATER 0 OR NOT turns EQUAL 6) # three times as many of short products
    message(FATAL_ERROR "${label}, ${turns} turns, the first at ${rate}: ${line}")
endif()
foreach(wrong "sideways;1;2;3" "forward;0;2;3" "forward;1;2" "--samples;0")
    execute_process(COMMAND ${PROGRAM} ${wrong} OUTPUT_QUIET ERROR_VARIABLE complaint RESULT_VARIABLE status)
    if(NOT status EQUAL 2 OR NOT complaint MATCHES "^usage: ")
        message(FATAL_ERROR "'${wrong}' gave status ${status} and '${complaint}'")
    endif()
endforeach()
