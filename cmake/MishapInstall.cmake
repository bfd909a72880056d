include(CMakePackageConfigHelpers)

set(package_dir "${CMAKE_INSTALL_LIBDIR}/cmake/mishap")
install(EXPORT mishapTargets NAMESPACE mishap:: DESTINATION "${package_dir}")
if(TARGET mishap_rapidcheck)
    install(EXPORT mishapRapidcheckTargets NAMESPACE mishap:: DESTINATION "${package_dir}")
endif()

configure_package_config_file(
    "${PROJECT_SOURCE_DIR}/cmake/mishapConfig.cmake.in" "${PROJECT_BINARY_DIR}/mishapConfig.cmake"
    INSTALL_DESTINATION "${package_dir}")
write_basic_package_version_file(
    "${PROJECT_BINARY_DIR}/mishapConfigVersion.cmake" COMPATIBILITY SameMinorVersion)
install(FILES
    "${PROJECT_BINARY_DIR}/mishapConfig.cmake" "${PROJECT_BINARY_DIR}/mishapConfigVersion.cmake"
    DESTINATION "${package_dir}")
install(FILES "${PROJECT_SOURCE_DIR}/LICENSE" DESTINATION "${CMAKE_INSTALL_DATADIR}/doc/mishap")
