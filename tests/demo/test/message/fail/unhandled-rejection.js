// A rejection nobody handles is reported when everything else is done.

Promise.reject(new Error('nobody cares'));
Promise.reject(new Error('somebody does')).catch(() => print('caught'));
setTimeout(() => print('timer'));
