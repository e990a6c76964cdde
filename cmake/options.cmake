# What can be switched, the settings every target shares, and the libraries that were found.

if(NOT CMAKE_BUILD_TYPE)
    set(CMAKE_BUILD_TYPE Release CACHE STRING "Release, Debug or RelWithDebInfo" FORCE)
endif()
set(CMAKE_C_STANDARD 17)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS OFF)
set(CMAKE_C_VISIBILITY_PRESET hidden)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
# Assertions stay off in Release only through NDEBUG; nothing in a build may change the value of a number.
set(CMAKE_C_FLAGS_RELEASE "-O3 -DNDEBUG" CACHE STRING "flags of a Release build")

option(CORNU_BUILD_TESTS "build the tests" ON)
option(CORNU_BUILD_EXAMPLES "build the examples" ON)
option(CORNU_BUILD_BENCH "build the benchmarks" ON)
option(CORNU_BUILD_FUZZERS "build tests/fuzz (needs clang and CORNU_SANITIZE)" OFF)
option(CORNU_WITH_JSON "configuration and safetensors (needs jansson)" ON)
option(CORNU_WITH_PNG "pictures (needs libpng)" ON)
option(CORNU_WITH_DOWNLOAD "fetch data sets from the internet (needs libcurl)" ON)
option(CORNU_WITH_AVX512 "kernels for AVX-512 and AMX, a quarter of what is compiled (x86-64)" ON)
option(CORNU_WERROR "treat warnings as errors" OFF)
set(CORNU_SANITIZE "" CACHE STRING "for example address,undefined or thread")

add_library(cornu_warnings INTERFACE)
target_compile_options(cornu_warnings INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wconversion
    -Wstrict-prototypes -Wmissing-prototypes $<$<BOOL:${CORNU_WERROR}>:-Werror>)

add_library(cornu_settings INTERFACE)
target_link_libraries(cornu_settings INTERFACE cornu_warnings)
target_include_directories(cornu_settings INTERFACE ${PROJECT_SOURCE_DIR}/include ${PROJECT_SOURCE_DIR}/src)
# One answer on every machine: a*b+c is fused only where the source says so.
target_compile_options(cornu_settings INTERFACE -ffp-contract=off)
target_compile_definitions(cornu_settings INTERFACE
    CN_SOURCE_DATA_DIR="${PROJECT_SOURCE_DIR}/data"
    CN_INSTALL_DATA_DIR="${CMAKE_INSTALL_FULL_DATADIR}/cornu")

if(CORNU_SANITIZE)
    add_compile_options(-fsanitize=${CORNU_SANITIZE} -fno-omit-frame-pointer $<$<CONFIG:Release>:-g1>)
    add_compile_definitions(CN_SANITIZED=1)
    add_link_options(-fsanitize=${CORNU_SANITIZE})
    if(CORNU_SANITIZE MATCHES "undefined")
        add_compile_options(-fno-sanitize-recover=undefined)
        # clang compiles half as long again with these three; null pointers and sizes are seen by address.
        if(CMAKE_C_COMPILER_ID STREQUAL "Clang")
            add_compile_options(-fno-sanitize=pointer-overflow,null,object-size)
        endif()
    endif()
endif()

find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
add_library(cornu_features INTERFACE)
pkg_check_modules(LIBDEFLATE REQUIRED IMPORTED_TARGET libdeflate)
target_link_libraries(cornu_features INTERFACE PkgConfig::LIBDEFLATE Threads::Threads m)
set(CN_PRIVATE_PKGCONFIG "libdeflate")

# cn_feature(NAME pkg-config-module): defines CN_WITH_NAME when switched on and found.
function(cn_feature name module)
    if(NOT CORNU_WITH_${name})
        return()
    endif()
    pkg_check_modules(${name} IMPORTED_TARGET ${module})
    if(${name}_FOUND)
        target_link_libraries(cornu_features INTERFACE PkgConfig::${name})
        target_compile_definitions(cornu_features INTERFACE CN_WITH_${name}=1)
        set(CN_PRIVATE_PKGCONFIG "${CN_PRIVATE_PKGCONFIG} ${module}" PARENT_SCOPE)
    else()
        message(STATUS "${module} was not found: this build goes without ${name}")
    endif()
endfunction()
cn_feature(JSON jansson)
cn_feature(PNG libpng)

# libcurl is not linked: src/formats/lazy_curl.h opens it when something is downloaded.
if(CORNU_WITH_DOWNLOAD)
    pkg_check_modules(DOWNLOAD libcurl)
    if(DOWNLOAD_FOUND)
        target_include_directories(cornu_features INTERFACE ${DOWNLOAD_INCLUDE_DIRS})
        target_link_libraries(cornu_features INTERFACE ${CMAKE_DL_LIBS})
        target_compile_definitions(cornu_features INTERFACE CN_WITH_DOWNLOAD=1)
    else()
        message(STATUS "libcurl was not found: this build goes without DOWNLOAD")
    endif()
endif()
