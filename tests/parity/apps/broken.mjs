/** An ES module that fails while it loads. */
throw new Error('broken at its first line');
