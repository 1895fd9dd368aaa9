using ClipOod.Notebook;

namespace ClipOod.Benchmarks;

/// <summary>The data of the benchmarks, from fixed seeds, in the sizes of the targets, and where results go.</summary>
internal static class Workloads
{
    public const int Width = 512;
    public const int TrainRows = 50_000;
    public const int Queries = 2_000;
    public const int HeadRows = 25_000;
    public const int HeadClasses = 257;
    public const int ScoresPerSide = 5_000_000;

    /// <summary>Directions drawn uniformly from the unit sphere.</summary>
    public static Embeddings UnitRows(int rows, int seed) => new Embeddings(rows, Width, Normals(rows * Width, seed)).Normalized();

    /// <summary>Standard normal values.</summary>
    public static float[] Normals(int count, int seed)
    {
        Random random = new(seed);
        float[] values = new float[count];
        for (int i = 0; i < values.Length; i++)
        {
            values[i] = (float)Normal(random);
        }

        return values;
    }

    /// <summary>Unit rows around one random direction per class.</summary>
    public static (Embeddings Features, int[] Labels) Classes(int rows, int classes, int seed)
    {
        Random random = new(seed);
        Embeddings centres = UnitRows(classes, seed + 1);
        int[] labels = [.. Enumerable.Range(0, rows).Select(_ => random.Next(classes))];
        float[] values = new float[rows * Width];
        for (int i = 0; i < values.Length; i++)
        {
            values[i] = centres[labels[i / Width]][i % Width] + (float)(0.05 * Normal(random));
        }

        return (new Embeddings(rows, Width, values).Normalized(), labels);
    }

    /// <summary>Normal scores of unit variance, as far from 0 as the mean says.</summary>
    public static IdScores Scores(string name, int count, double mean, int seed)
    {
        Random random = new(seed);
        return new IdScores(name, [.. Enumerable.Range(0, count).Select(_ => mean + Normal(random))]);
    }

    /// <summary>The repository's artifacts folder, made where it is missing.</summary>
    public static string ArtifactsFolder()
    {
        DirectoryInfo? folder = new(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "ClipOod.sln")))
        {
            folder = folder.Parent;
        }

        return folder?.CreateSubdirectory("artifacts").FullName
            ?? throw new DirectoryNotFoundException($"No folder above {AppContext.BaseDirectory} holds ClipOod.sln.");
    }

    // Box and Muller's transform.
    private static double Normal(Random random) =>
        Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());
}
