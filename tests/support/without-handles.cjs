'use strict';
/** Required before anything else: Node as it may be one day, without the part on which our listening sockets rest. */
Reflect.deleteProperty(require('node:net'), '_createServerHandle');
