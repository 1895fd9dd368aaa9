using CsCheck;

namespace ClipOod.Notebook.Tests;

/// <summary>Runs by itself: other tests would add to what is counted.</summary>
[CollectionDefinition(nameof(SearchMemoryTests), DisableParallelization = true)]
[Collection(nameof(SearchMemoryTests))]
public sealed class SearchMemoryTests
{
    [Fact]
    public void TopK_OfTenTimesTheQueries_AllocatesNoMoreThanTheLargerResult()
    {
        const int Few = 2_000, Many = 20_000, TrainRows = 3_000, BytesPerResult = sizeof(double) + sizeof(int);
        Embeddings train = SimilarityTests.UnitRows(TrainRows, 64, 1);
        Embeddings few = SimilarityTests.UnitRows(Few, 64, 2), many = SimilarityTests.UnitRows(Many, 64, 3);
        Allocated(few);
        long more = Allocated(many) - Allocated(few);

        // What passes through ONNX Runtime's wrappers is small: far below one product of all queries.
        long room = 1 << 20;
        Assert.True(room < (long)Many * TrainRows * sizeof(float) / 100);
        Assert.InRange(more, 0, ((Many - Few) * BytesPerResult) + room);

        long Allocated(Embeddings queries)
        {
            long before = GC.GetTotalAllocatedBytes(precise: true);
            Similarity.TopK(queries, train, 1);
            return GC.GetTotalAllocatedBytes(precise: true) - before;
        }
    }
}

public sealed class SimilarityTests
{
    [Fact]
    public void Cosines_EqualTheGoldenOnes()
    {
        Golden golden = Golden.Get("knn");
        Matrix cosines = Similarity.Cosines(
            golden["inputs", "query"].Embeddings.Normalized(), golden["inputs", "train"].Embeddings.Normalized());
        Golden.AssertClose(golden["expected", "cosine"].Matrix.Values.ToArray(), cosines.Values.ToArray(), Golden.ToleranceOfSingles);
    }

    [Fact]
    public void Cosines_WhenTheWidthsDiffer_SaysBothAndAsksForTheModel()
    {
        ArgumentException error = Assert.Throws<ArgumentException>(() => Similarity.Cosines(UnitRows(3, 768, 1), UnitRows(2, 512, 2)));
        Assert.Contains(
            "Image embeddings have 768 columns but text embeddings have 512: were they made by the same CLIP model?",
            error.Message,
            StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(2, "Row 1 has norm 2, expected 1")]
    [InlineData(float.NaN, "Row 1 of 2 holds NaN or infinity")]
    public void Cosines_WhenARowIsNotOfUnitNorm_NamesTheRow(float value, string message)
    {
        Embeddings bad = new(2, 2, new[] { 1, 0, value, 0 });
        ArgumentException error = Assert.Throws<ArgumentException>(() => Similarity.Cosines(bad, UnitRows(1, 2, 1)));
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Cosines_OfNoImages_AreNoRows() => Assert.Equal(0, Similarity.Cosines(new(0, 4, default), UnitRows(3, 4, 1)).Rows);

    [Fact]
    public void Cosines_WhenThereIsNoText_Throws() =>
        Assert.Throws<ArgumentException>(() => Similarity.Cosines(UnitRows(3, 4, 1), new(0, 4, default)));

    [Theory]
    [InlineData(1, 1, 1, 8, 0)]
    [InlineData(3, 7, 7, 8, 0)]
    [InlineData(5, 9000, 20, 8, 0)]
    [InlineData(700, 4097, 3, 8, 0)]
    [InlineData(100, 3000, 10, 67, 0)]
    [InlineData(100, 3000, 10, 67, 3)]
    [InlineData(100, 3000, 10, 67, 30)]
    public void TopK_EqualsASortOfAllCosines(int queries, int train, int k, int width, float common)
    {
        Embeddings x = WithCommonPart(UnitRows(queries, width, 1), common), y = WithCommonPart(UnitRows(train, width, 2), common);
        (Matrix cosines, int[,] indices) = Similarity.TopK(x, y, k);
        for (int i = 0; i < queries; i++)
        {
            double[] all = [.. Enumerable.Range(0, train).Select(j => Dot(x[i], y[j]))];
            double[] sorted = [.. all.OrderDescending().Take(k)];
            Golden.AssertClose(sorted, cosines[i].ToArray(), 1e-6);
            Golden.AssertClose(sorted, [.. Enumerable.Range(0, k).Select(j => all[indices[i, j]])], 1e-6);
            Assert.Equal(k, Enumerable.Range(0, k).Select(j => indices[i, j]).Distinct().Count());
        }
    }

    [Fact]
    public void TopK_WhenCosinesTie_PutsTheLowestRowFirst()
    {
        // 10,000 copies of two vectors lie in several blocks; the nearest are the even rows.
        Embeddings train = UnitRows(2, 16, 3).Select([.. Enumerable.Range(0, 10_000).Select(i => i % 2)]);
        (_, int[,] indices) = Similarity.TopK(train.Select([0, 1]), train, 5);
        Assert.Equal([0, 2, 4, 6, 8], Enumerable.Range(0, 5).Select(j => indices[0, j]));
        Assert.Equal([1, 3, 5, 7, 9], Enumerable.Range(0, 5).Select(j => indices[1, j]));
    }

    [Fact]
    public void TopK_WhenQueriesArePermuted_PermutesItsResult() =>
        Gen.Shuffle(Enumerable.Range(0, 40).ToArray()).Sample(order =>
        {
            Embeddings queries = UnitRows(40, 6, 4), train = UnitRows(90, 6, 5);
            int[,] straight = Similarity.TopK(queries, train, 2).Indices;
            int[,] permuted = Similarity.TopK(queries.Select(order), train, 2).Indices;
            return Enumerable.Range(0, 40).All(i => permuted[i, 0] == straight[order[i], 0] && permuted[i, 1] == straight[order[i], 1]);
        }, iter: 20);

    [Theory]
    [InlineData(0)]
    [InlineData(6)]
    public void TopK_WhenKIsOutOfRange_SaysTheRange(int k)
    {
        ArgumentOutOfRangeException error =
            Assert.Throws<ArgumentOutOfRangeException>(() => Similarity.TopK(UnitRows(1, 4, 1), UnitRows(5, 4, 2), k));
        Assert.Contains("from 1 to the number of training rows, 5", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void TopK_WhenTheWidthsDiffer_Throws() =>
        Assert.Contains("768", Assert.Throws<ArgumentException>(() => Similarity.TopK(UnitRows(1, 768, 1), UnitRows(5, 512, 2), 1)).Message, StringComparison.Ordinal);

    internal static Embeddings UnitRows(int rows, int width, int seed)
    {
        Random random = new(seed);
        float[] values = new float[rows * width];
        for (int i = 0; i < values.Length; i++)
        {
            values[i] = (float)(random.NextDouble() - 0.5);
        }

        return new Embeddings(rows, width, values).Normalized();
    }

    // As CLIP's: all rows share some large components, so that their cosines lie close together.
    private static Embeddings WithCommonPart(Embeddings rows, float size)
    {
        float[] values = rows.Values.ToArray();
        for (int i = 0; i < values.Length; i += rows.Width)
        {
            values[i] += size;
            values[i + rows.Width - 1] -= size / 2;
        }

        return new Embeddings(rows.Rows, rows.Width, values).Normalized();
    }

    private static double Dot(ReadOnlySpan<float> a, ReadOnlySpan<float> b)
    {
        double sum = 0;
        for (int i = 0; i < a.Length; i++)
        {
            sum += (double)a[i] * b[i];
        }

        return sum;
    }
}
