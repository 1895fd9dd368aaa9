using System.Globalization;
using System.Text.Json;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Running;
using ClipOod.Benchmarks;

switch (args)
{
    case ["peers", .. { Length: <= 1 } filter]:
        return PeerComparison.Run(filter.SingleOrDefault(""));
    case ["int8"]:
        return Int8Comparison.Run();
    case ["memory", string queries]:
        Console.WriteLine(SearchMemory.Measure(int.Parse(queries, CultureInfo.InvariantCulture)).ToString(CultureInfo.InvariantCulture));
        return 0;
    case ["load", string path]:
        Console.WriteLine(JsonSerializer.Serialize(ModelLoading.Measure(path)));
        return 0;
    default:
        IConfig config = DefaultConfig.Instance.WithArtifactsPath(Path.Combine(Workloads.ArtifactsFolder(), "BenchmarkDotNet"));
        BenchmarkSwitcher.FromAssembly(typeof(Program).Assembly).Run(args, config);
        return 0;
}
