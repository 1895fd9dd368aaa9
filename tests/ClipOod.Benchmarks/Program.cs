using BenchmarkDotNet.Running;
using ClipOod.Benchmarks;

switch (args)
{
    case ["peers"]:
        return PeerComparison.Run();
    case ["memory", string queries]:
        Console.WriteLine(SearchMemory.Measure(int.Parse(queries, System.Globalization.CultureInfo.InvariantCulture)));
        return 0;
    default:
        BenchmarkSwitcher.FromAssembly(typeof(Program).Assembly).Run(args);
        return 0;
}
