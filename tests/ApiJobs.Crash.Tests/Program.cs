using ApiJobs.Crash.Tests;
using ApiJobs.Crash.Tests.Nodes;
using ApiJobs.Crash.Tests.Rounds;

// One executable with four roles, so that what is killed is built with what kills it.
if (NodeProgram.IsAskedFor)
{
    await NodeProgram.RunAsync();
    return 0;
}

if (args is ["long", .. var options])
    return await LongRound.RunAsync(options);
if (args is ["scale"])
    return await ScaleRound.RunAsync();

// What xunit's own entry point does: test tools talk to the testing platform, people to the console.
if (args.Any(arg => arg is "--server" or "--internal-msbuild-node"))
    return await Xunit.MicrosoftTestingPlatform.TestPlatformTestFramework.RunAsync(args, SelfRegisteredExtensions.AddSelfRegisteredExtensions);
return await Xunit.Runner.InProc.SystemConsole.ConsoleRunner.Run(args);
