"""WebShop: buying what an instruction asks for, in a shop of products, options and prices."""
