using CsCheck;

namespace ClipOod.Notebook.Tests;

public sealed class ScoresTests
{
    private static readonly Golden _golden = Golden.Get("scores", "expected");
    private static readonly Matrix _cosines = Golden.Get("scores", "inputs", "cosine").Matrix;
    private static readonly Matrix _logits = _cosines.Scale(Scores.ClipLogitScale);

    /// <summary>Every score that takes logits or cosines alike.</summary>
    private static readonly Func<Matrix, IdScores>[] _all =
    [
        Scores.Msp,
        m => Scores.Mcm(m.Scale(0.01)),
        Scores.MaxLogit,
        m => Scores.Energy(m),
        m => Scores.NegativeEntropy(Scores.Softmax(m)),
        m => Scores.Variance(Scores.Softmax(m)),
        m => Scores.LogitGap(m),
        m => Scores.LogitGap(m, top: 2),
        Scores.Margin,
        Scores.MinShiftedL1,
    ];

    private static readonly Gen<Matrix> _matrices =
        from rows in Gen.Int[1, 8]
        from columns in Gen.Int[2, 6]
        from values in Gen.Double[-100, 100].Array[rows * columns]
        select new Matrix(rows, columns, values);

    [Fact]
    public void LogitScale_IsThatOfTheGoldenValues() =>
        Assert.Equal(Scores.ClipLogitScale, Golden.Get("scores", "inputs", "logit_scale").Number);

    [Fact]
    public void Probabilities_EqualTheGoldenValues()
    {
        AssertRows("prob_scale100", Scores.Softmax(_logits));
        AssertRows("mcm_T1_probs", Scores.Softmax(_cosines));
        Assert.Equal(_golden["argmax"].WholeNumbers, _logits.ArgMax());
    }

    [Fact]
    public void Scores_EqualTheGoldenValues()
    {
        Matrix probabilities = Scores.Softmax(_logits);
        double[] entropy = Scores.Entropy(probabilities);
        AssertEqual("msp", Scores.Msp(_logits));
        AssertEqual("mcm_T1", Scores.Mcm(_cosines));
        AssertEqual("maxlogit", Scores.MaxLogit(_logits));
        AssertEqual("max_cosine", Scores.MaxLogit(_cosines));
        AssertEqual("energy_T1_on_logits", Scores.Energy(_logits));
        AssertEqual("energy_T1_on_cosine", Scores.Energy(_cosines));
        AssertEqual("energy_T2_on_logits", Scores.Energy(_logits, temperature: 2));
        AssertEqual("margin_top1_top2", Scores.Margin(_logits));
        AssertEqual("logitgap_all", Scores.LogitGap(_logits));
        AssertEqual("logitgap_top2", Scores.LogitGap(_logits, top: 2));
        AssertEqual("neg_entropy", Scores.NegativeEntropy(probabilities));
        AssertEqual("entropy_nats", entropy);
        AssertEqual("entropy_normalised", [.. entropy.Select(h => h / Math.Log(3))]);
        AssertEqual("entropy_bits", [.. entropy.Select(h => h / Math.Log(2))]);
        AssertEqual("neg_perplexity", [.. entropy.Select(h => -Math.Exp(h))]);
        AssertEqual("variance_of_mcm_probs", Scores.Variance(Scores.Softmax(_cosines)));
        AssertEqual("variance_of_prob_scale100", Scores.Variance(probabilities));
        AssertEqual("l1_minshift", Scores.MinShiftedL1(_logits));
    }

    [Fact]
    public void EveryScore_IsHigherForACertainThanForAnUncertainImage()
    {
        // Row 0 clearly belongs to class 0, row 1 to none.
        Matrix logits = Matrix.FromRows([30, 10, 11], [16, 15, 15.5]);
        Assert.All(_all, score => Assert.True(score(logits)[0] > score(logits)[1], score(logits).Name));
    }

    [Fact]
    public void EveryScore_IsUnchangedByTheOrderOfClasses_AndFollowsTheOrderOfImages_AndLeavesItsInputAlone() =>
        Gen.Select(_matrices, Gen.Int[0, 1000]).Sample((matrix, seed) =>
        {
            double[] before = matrix.Values.ToArray();
            int[] rows = Shuffled(matrix.Rows, seed);
            int[] columns = Shuffled(matrix.Columns, seed + 1);
            Matrix permuted = Matrix.FromRows([.. rows.Select(i => columns.Select(j => matrix[i, j]).ToArray())]);
            foreach (Func<Matrix, IdScores> score in _all)
            {
                Golden.AssertClose(score(matrix).Select(rows).ToArray(), score(permuted).ToArray(), 1e-9);
            }

            Assert.Equal(before, matrix.Values.ToArray());
        });

    [Fact]
    public void Softmax_HasRowsThatSumToOne_AndNoNegativeValue() => _matrices.Sample(matrix =>
    {
        Matrix probabilities = Scores.Softmax(matrix);
        for (int i = 0; i < matrix.Rows; i++)
        {
            Assert.Equal(1, probabilities[i].ToArray().Sum(), 1e-12);
            Assert.All(probabilities[i].ToArray(), p => Assert.True(p >= 0));
        }
    });

    [Fact]
    public void Softmax_OfHugeLogits_StaysFinite()
    {
        Golden.AssertClose([1, 0, 0.5, 0.5], Scores.Softmax(Matrix.FromRows([1e6, 0], [-1e6, -1e6])).Values.ToArray(), 1e-12);
        Golden.AssertClose([1e6, -1e6 + Math.Log(2)], Scores.LogSumExp(Matrix.FromRows([1e6, 0], [-1e6, -1e6])), 1e-12);
    }

    [Fact]
    public void LogSumExp_WithInfiniteLogits_IsNotNaN() => Assert.Equal(
        [double.PositiveInfinity, double.NegativeInfinity, 3],
        Scores.LogSumExp(Matrix.FromRows([double.PositiveInfinity, 0], [double.NegativeInfinity, double.NegativeInfinity], [3, double.NegativeInfinity])));

    [Fact]
    public void Mcm_AtTemperatureOneHundredth_IsMspOfTheLogits() => _matrices.Sample(matrix =>
        Golden.AssertClose(Scores.Msp(matrix).ToArray(), Scores.Mcm(matrix.Scale(0.01), temperature: 0.01).ToArray(), 1e-9));

    [Fact]
    public void Mcm_AtAHugeTemperature_RanksLikeTheMaximumMinusTheMean() => _matrices.Sample(matrix =>
    {
        Matrix cosines = matrix.Scale(0.01);
        double[] gap = [.. Enumerable.Range(0, cosines.Rows).Select(i => cosines[i].ToArray().Max() - cosines[i].ToArray().Average())];
        IdScores mcm = Scores.Mcm(cosines, temperature: 1e4);
        AssertSameRanking(gap, mcm, smallestDifference: 1e-3);
    });

    [Fact]
    public void MaxLogit_RanksAlikeAtEveryScale() => Gen.Select(_matrices, Gen.Double[0.01, 100]).Sample((matrix, scale) =>
        AssertSameRanking(Scores.MaxLogit(matrix).ToArray(), Scores.MaxLogit(matrix.Scale(scale)), smallestDifference: 1e-9));

    [Fact]
    public void Entropy_IsZeroForOneClass_AndLnKForAllAlike() =>
        Golden.AssertClose([0, Math.Log(3)], Scores.Entropy(Matrix.FromRows([0, 1, 0], [1 / 3.0, 1 / 3.0, 1 / 3.0])), 1e-12);

    [Fact]
    public void Names_SayTheTemperature_WhereItIsNotOne() => Assert.Equal(
        ["MSP", "MCM", "MCM (T=0.5)", "MaxLogit", "Energy", "Energy (T=2)", "−entropy", "Variance", "LogitGap", "LogitGap (top 2)", "Margin", "min-shifted L1"],
        new[]
        {
            Scores.Msp(_logits), Scores.Mcm(_cosines), Scores.Mcm(_cosines, 0.5), Scores.MaxLogit(_logits), Scores.Energy(_logits),
            Scores.Energy(_logits, 2), Scores.NegativeEntropy(Scores.Softmax(_logits)), Scores.Variance(Scores.Softmax(_logits)),
            Scores.LogitGap(_logits), Scores.LogitGap(_logits, 2), Scores.Margin(_logits), Scores.MinShiftedL1(_logits),
        }.Select(s => s.Name));

    [Fact]
    public void Mcm_OfLogits_SaysThatItTakesCosines()
    {
        ArgumentException error = Assert.Throws<ArgumentException>(() => Scores.Mcm(_logits));
        Assert.Contains("MCM takes cosines", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    [InlineData(double.NaN)]
    [InlineData(double.PositiveInfinity)]
    public void Temperature_ThatIsNotPositive_Throws(double temperature)
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => Scores.Mcm(_cosines, temperature));
        Assert.Throws<ArgumentOutOfRangeException>(() => Scores.Energy(_logits, temperature));
        Assert.Throws<ArgumentOutOfRangeException>(() => Scores.Softmax(_logits, temperature));
    }

    [Fact]
    public void Entropy_OfLogits_SaysToTakeTheSoftmaxFirst()
    {
        ArgumentException error = Assert.Throws<ArgumentException>(() => Scores.Entropy(_logits));
        Assert.Contains("take Scores.Softmax first", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ArgMax_OfNaN_NamesTheRow() => Assert.Contains(
        "Row 1 of 2 holds NaN", Assert.Throws<ArgumentException>(() => Matrix.FromRows([1, 2], [2, double.NaN]).ArgMax()).Message, StringComparison.Ordinal);

    [Fact]
    public void Score_OfUndefinedInfinities_IsRefused() => Assert.All(
        new Func<Matrix, IdScores>[] { Scores.Msp, m => Scores.LogitGap(m), Scores.Margin, Scores.MinShiftedL1 },
        score => Assert.Throws<ArgumentException>(() => score(Matrix.FromRows([1, 2], [double.PositiveInfinity, double.PositiveInfinity]))));

    [Fact]
    public void Score_OfNaN_NamesTheImage()
    {
        Matrix broken = Matrix.FromRows([1, 2, 3], [double.NaN, 2, 1]);
        Assert.All(
            new Func<Matrix, IdScores>[]
            {
                Scores.Msp, Scores.MaxLogit, m => Scores.Energy(m), m => Scores.LogitGap(m), m => Scores.LogitGap(m, 2), Scores.Margin, Scores.MinShiftedL1,
            },
            score => Assert.Contains("score 1 of 2 is NaN", Assert.Throws<ArgumentException>(() => score(broken)).Message, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    public void LogitGap_WithATopOutsideTheClasses_SaysWhatIsExpected(int top)
    {
        ArgumentOutOfRangeException error = Assert.Throws<ArgumentOutOfRangeException>(() => Scores.LogitGap(_logits, top));
        Assert.Contains("Expected 2 to 3", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Margin_OfOneClass_Throws() => Assert.Throws<ArgumentException>(() => Scores.Margin(Matrix.FromRows([1], [2])));

    private static void AssertEqual(string name, IReadOnlyList<double> actual) =>
        Golden.AssertClose(_golden[name].Numbers, actual, Golden.ToleranceOfDoubles);

    private static void AssertRows(string name, Matrix actual) =>
        Golden.AssertClose([.. _golden[name].Rows.SelectMany(row => row)], actual.Values.ToArray(), Golden.ToleranceOfDoubles);

    /// <summary>Asserts the order of every two images whose expected scores differ by more than rounding.</summary>
    private static void AssertSameRanking(double[] expected, IdScores actual, double smallestDifference)
    {
        for (int i = 0; i < expected.Length; i++)
        {
            for (int j = 0; j < expected.Length; j++)
            {
                Assert.True(expected[i] - expected[j] < smallestDifference || actual[i] > actual[j]);
            }
        }
    }

    private static int[] Shuffled(int count, int seed)
    {
        int[] order = [.. Enumerable.Range(0, count)];
        new Random(seed).Shuffle(order);
        return order;
    }
}

public sealed class PromptEnsembleTests
{
    private static readonly Golden _golden = Golden.Get("prompt_ensemble");
    private static readonly Embeddings[] _classes = [.. _golden["inputs", "text_raw"].Items.Select(c => c.Embeddings)];

    [Theory]
    [InlineData(PromptAveraging.NormalizeThenMean, "class_weights")]
    [InlineData(PromptAveraging.MeanOfRaw, "class_weights_csp_variant")]
    public void Average_EqualsTheGoldenValues(PromptAveraging averaging, string section)
    {
        Embeddings weights = PromptEnsemble.Average(_classes, averaging);
        Golden.AssertClose([.. _golden["expected", section].Rows.SelectMany(row => row)], [.. weights.ToMatrix().Values], Golden.ToleranceOfSingles);
        Assert.True(weights.IsUnitNorm(1e-6));
    }

    [Fact]
    public void Average_GivesTheGoldenCosinesAndPredictions()
    {
        Embeddings weights = PromptEnsemble.Average(_classes);
        Embeddings images = _golden["inputs", "image_raw"].Embeddings.Normalized();
        double[][] cosines = [.. Enumerable.Range(0, images.Rows).Select(i => Enumerable.Range(0, weights.Rows)
            .Select(k => (double)System.Numerics.Tensors.TensorPrimitives.Dot(images[i], weights[k])).ToArray())];
        Matrix logits = Matrix.FromRows(cosines).Scale(_golden["inputs", "logit_scale"].Number);
        Golden.AssertClose([.. _golden["expected", "cosine"].Rows.SelectMany(row => row)], [.. cosines.SelectMany(row => row)], Golden.ToleranceOfSingles);
        Golden.AssertClose([.. _golden["expected", "logits"].Rows.SelectMany(row => row)], [.. logits.Values], Golden.ToleranceOfSingles);
        // A probability is as precise, relative to itself, as the logits, which single precision leaves 1e-5 wide.
        Golden.AssertClose([.. _golden["expected", "probs"].Rows.SelectMany(row => row)], [.. Scores.Softmax(logits).Values], Golden.ToleranceOfSingles);
        Assert.Equal(_golden["expected", "pred"].WholeNumbers, logits.ArgMax());
    }

    [Fact]
    public void Average_DoesNotDependOnTheOrderOfTemplates()
    {
        Embeddings[] reversed = [.. _classes.Select(c => c.Select([.. Enumerable.Range(0, c.Rows).Reverse()]))];
        Golden.AssertClose(
            [.. PromptEnsemble.Average(_classes).ToMatrix().Values], [.. PromptEnsemble.Average(reversed).ToMatrix().Values], 1e-7);
    }

    [Fact]
    public void Average_OfOpposedTemplates_IsNotNaN() =>
        Assert.All(PromptEnsemble.Average([Embeddings.FromRows([1, 0], [-1, 0])]).Values.ToArray(), value => Assert.Equal(0, value));

    [Fact]
    public void Average_WhenAClassHasNoTemplateOrAnotherWidth_NamesIt()
    {
        ArgumentException error = Assert.Throws<ArgumentException>(
            () => PromptEnsemble.Average([Embeddings.FromRows([1, 0]), Embeddings.FromRows([1, 0, 0])]));
        Assert.Contains("Class 1 has 1 templates of width 3", error.Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => PromptEnsemble.Average([new Embeddings(0, 2, Array.Empty<float>())]));
        Assert.Throws<ArgumentException>(() => PromptEnsemble.Average([]));
    }
}
