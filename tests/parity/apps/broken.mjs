/** Not ours: an ES module that fails as it is loaded. */
throw new Error('broken at its first line');
