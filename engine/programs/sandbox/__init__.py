"""Running untrusted programs: a zygote forks disposable children that hold no power."""
