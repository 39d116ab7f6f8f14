using ApiJobs.Benchmarks;

// Some rows start this program again, to be something else in a process of its own.
if (Roles.Own is { } role)
{
    await Roles.RunAsync(role);
    return 0;
}

return await CommandLine.RunAsync(args);
