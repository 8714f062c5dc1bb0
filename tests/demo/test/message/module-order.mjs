// Imports run before the module that imports them, whatever stands first.

print('main');
import {name} from './modules/order.mjs';
print('uses', name);
