#!/bin/sh
# In target/clients/java: generates the package com.example.tenantry from openapi.yaml, compiles the flow with it, and runs it.
#
# The client needs Jackson, which is in the generator's own jar, and annotations and JsonNullable, for which standins/ has the few
# that are needed. A project of your own takes all of them from a Maven repository. The generated pom.xml and build.gradle name them.
set -eu
rm -rf client classes
../openapi-generator/generate.sh --generator-name java --library native --output client --additional-properties \
    useJakartaEe=true,useSingleRequestParameter=true,\
invokerPackage=com.example.tenantry,apiPackage=com.example.tenantry.api,modelPackage=com.example.tenantry.model
jar=$(echo ../openapi-generator/venv/lib/python*/site-packages/openapi_generator_cli/openapi-generator.jar)
find client/src/main standins -name '*.java' >sources
javac -nowarn -proc:none -cp "$jar" -d classes Flow.java @sources
java -cp "$jar:classes" Flow
