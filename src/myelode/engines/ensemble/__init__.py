"""The ensemble engine: many simulations of one model at once, eight to a register.

From SBML to numbers, in this order:

1. `reading` puts a model onto a `tape`, where equal formulas are one, and `derivatives` writes its
   Jacobian onto the same tape; a `program` is the outcome.
2. `kernels` turns a program into the text of machine code: one step of Rodas5P (`tableau`), its
   error, the interpolation within it. `machine` compiles the text.
3. `driver` steps eight simulations at a time over a stretch without events, each with its own time
   and step size, and loads the next one where one has reached its end. `passages` finds samples and
   roots within steps, `tallies` extremes and areas (`summaries` knows what for).
4. `fleet` knows where many simulations are now, `events` what happens to them when SBML events
   fire, and `journey` takes them along their timelines. `ensemble` cuts runs into chunks and gives
   these to threads.

`oracle` is the same method in plain NumPy: the place to begin reading, and what the kernels are
tested against.
"""
