// A test can ask for its own path.

// Env: TEST_FILE_NAME

assertTrue(TEST_FILE_NAME.endsWith('/directives/test-file-name.js'), TEST_FILE_NAME);
assertTrue(read(TEST_FILE_NAME).includes('A test can ask for its own path'));
