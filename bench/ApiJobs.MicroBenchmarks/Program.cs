using BenchmarkDotNet.Running;

// `-- --list flat` names the benchmarks, `-- --filter '*'` runs them all.
BenchmarkSwitcher.FromAssembly(typeof(Program).Assembly).Run(args);
