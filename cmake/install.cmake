# make install: headers, libraries, tool, pkg-config file, CMake package, man page, completions, data.
include(CMakePackageConfigHelpers)

install(TARGETS cornu_static cornu_shared EXPORT cornuTargets)
if(TARGET cornu_tool)
    install(TARGETS cornu_tool)
endif()
install(DIRECTORY include/cornu TYPE INCLUDE)
install(DIRECTORY data/mnist DESTINATION ${CMAKE_INSTALL_DATADIR}/cornu)
install(FILES man/cornu.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
install(FILES completions/cornu.bash DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions RENAME cornu)
install(FILES completions/_cornu DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/site-functions)

# Paths inside these files are relative to the files, so that an installed tree can be moved.
set(CN_CMAKE_DIR ${CMAKE_INSTALL_LIBDIR}/cmake/cornu)
install(EXPORT cornuTargets NAMESPACE cornu:: DESTINATION ${CN_CMAKE_DIR})
configure_package_config_file(cmake/cornuConfig.cmake.in ${PROJECT_BINARY_DIR}/cornuConfig.cmake
    INSTALL_DESTINATION ${CN_CMAKE_DIR})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/cornuConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/cornuConfig.cmake ${PROJECT_BINARY_DIR}/cornuConfigVersion.cmake
    DESTINATION ${CN_CMAKE_DIR})

file(RELATIVE_PATH CN_PREFIX_FROM_PKGCONFIG ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig ${CMAKE_INSTALL_PREFIX})
file(RELATIVE_PATH CN_LIBDIR_FROM_PREFIX ${CMAKE_INSTALL_PREFIX} ${CMAKE_INSTALL_FULL_LIBDIR})
file(RELATIVE_PATH CN_INCLUDEDIR_FROM_PREFIX ${CMAKE_INSTALL_PREFIX} ${CMAKE_INSTALL_FULL_INCLUDEDIR})
# Named one by one and not as Requires.private: that would ask a static program for the libraries of the libraries too.
list(JOIN LIBDEFLATE_LDFLAGS " " CN_PRIVATE_LIBS)
foreach(feature JSON PNG)
    if(CORNU_WITH_${feature} AND ${feature}_FOUND)
        list(JOIN ${feature}_LDFLAGS " " flags)
        string(APPEND CN_PRIVATE_LIBS " ${flags}")
    endif()
endforeach()
configure_file(cmake/cornu.pc.in ${PROJECT_BINARY_DIR}/cornu.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/cornu.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
