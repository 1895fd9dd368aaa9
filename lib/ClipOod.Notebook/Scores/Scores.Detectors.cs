namespace ClipOod.Notebook;

public static partial class Scores
{
    /// <summary>The detectors of these scores, each in its one configuration.</summary>
    internal static IReadOnlyList<Detector> Detectors { get; } =
    [
        new ImageDetector(
            new()
            {
                Key = "msp",
                Name = "MSP",
                Family = DetectorFamily.ZeroShot,
                Authors = "Hendrycks & Gimpel",
                Title = "A Baseline for Detecting Misclassified and Out-of-Distribution Examples in Neural Networks",
                Year = 2017,
                Url = new Uri("https://arxiv.org/abs/1610.02136"),
                ReferenceCode = "hendrycks/error-detection",
                Equation = "max p, p = softmax(100 s)",
                Needs = DetectorInputs.Logits,
                Member = "Scores.Msp",
                Notebook = 1,
                Golden = "scores",
            },
            fit => images => Scores.Msp(fit.Logits(images))),
        new ImageDetector(
            new()
            {
                Key = "negative-entropy",
                Name = "Negative entropy",
                Family = DetectorFamily.ZeroShot,
                Authors = "Chan et al.",
                Title = "Entropy Maximization and Meta Classification for Out-of-Distribution Detection in Semantic Segmentation",
                Year = 2021,
                Url = new Uri("https://arxiv.org/abs/2012.06575"),
                ReferenceCode = "kkirchheim/pytorch-ood",
                Equation = "Σ p ln p",
                Needs = DetectorInputs.Logits,
                Member = "Scores.NegativeEntropy",
                Notebook = 1,
                Golden = "scores",
            },
            fit => images => Scores.NegativeEntropy(Scores.Softmax(fit.Logits(images)))),
        new ImageDetector(
            new()
            {
                Key = "variance",
                Name = "Variance",
                Family = DetectorFamily.ZeroShot,
                Authors = "Adaloglou et al.",
                Title = "Adapting Contrastive Language-Image Pretrained (CLIP) Models for Out-of-Distribution Detection",
                Year = 2024,
                Url = new Uri("https://arxiv.org/abs/2303.05828"),
                ReferenceCode = "HHU-MMBS/plp-official-tmlr2024",
                Equation = "mean (p − mean p)²",
                Needs = DetectorInputs.Logits,
                Member = "Scores.Variance",
                Notebook = 1,
                Golden = "scores",
            },
            fit => images => Scores.Variance(Scores.Softmax(fit.Logits(images)))),
        new ImageDetector(
            new()
            {
                Key = "margin",
                Name = "Margin",
                Family = DetectorFamily.ZeroShot,
                Authors = "Liang et al.",
                Title = "Revisiting Logit Distributions for Reliable Out-of-Distribution Detection",
                Year = 2025,
                Url = new Uri("https://arxiv.org/abs/2510.20134"),
                ReferenceCode = "GIT-LJc/LogitGap",
                Equation = "z₍₁₎ − z₍₂₎, LogitGap with M = 2",
                Needs = DetectorInputs.Logits,
                Member = "Scores.Margin",
                Notebook = 1,
                Golden = "scores",
            },
            fit => images => Scores.Margin(fit.Logits(images))),
        new ImageDetector(
            new()
            {
                Key = "energy",
                Name = "Energy",
                Family = DetectorFamily.ZeroShot,
                Authors = "Liu et al.",
                Title = "Energy-based Out-of-distribution Detection",
                Year = 2020,
                Url = new Uri("https://arxiv.org/abs/2010.03759"),
                ReferenceCode = "wetliu/energy_ood",
                Equation = "T ln Σ exp(z/T)",
                Needs = DetectorInputs.Logits,
                Member = "Scores.Energy",
                Notebook = 9,
                Golden = "scores",
                Hyperparameters =
                [
                    new("temperature", 1, 1, "the paper's"),
                ],
            },
            fit => images => Scores.Energy(fit.Logits(images), fit["temperature"])),
        new ImageDetector(
            new()
            {
                Key = "max-logit",
                Name = "MaxLogit",
                Family = DetectorFamily.ZeroShot,
                Authors = "Hendrycks et al.",
                Title = "Scaling Out-of-Distribution Detection for Real-World Settings",
                Year = 2022,
                Url = new Uri("https://arxiv.org/abs/1911.11132"),
                ReferenceCode = "hendrycks/anomaly-seg",
                Equation = "max z",
                Needs = DetectorInputs.Logits,
                Member = "Scores.MaxLogit",
                Notebook = 9,
                Golden = "scores",
            },
            fit => images => Scores.MaxLogit(fit.Logits(images))),
        new ImageDetector(
            new()
            {
                Key = "mcm",
                Name = "MCM",
                Family = DetectorFamily.ZeroShot,
                Authors = "Ming et al.",
                Title = "Delving into Out-of-Distribution Detection with Vision-Language Representations",
                Year = 2022,
                Url = new Uri("https://arxiv.org/abs/2211.13445"),
                ReferenceCode = "deeplearning-wisc/MCM",
                Equation = "max softmax(s/T), T = 1",
                Needs = DetectorInputs.Features | DetectorInputs.Text,
                Member = "Scores.Mcm",
                Notebook = 9,
                Golden = "scores",
                Hyperparameters =
                [
                    new("temperature", 1, 1, "the paper's; it divides cosines"),
                ],
            },
            fit => images => Scores.Mcm(fit.Cosines(images), fit["temperature"])),
        new ImageDetector(
            new()
            {
                Key = "logitgap",
                Name = "LogitGap",
                Family = DetectorFamily.ZeroShot,
                Authors = "Liang et al.",
                Title = "Revisiting Logit Distributions for Reliable Out-of-Distribution Detection",
                Year = 2025,
                Url = new Uri("https://arxiv.org/abs/2510.20134"),
                ReferenceCode = "GIT-LJc/LogitGap",
                Equation = "z₍₁₎ − mean(z₍₂₎ … z₍M₎)",
                Needs = DetectorInputs.Logits,
                Member = "Scores.LogitGap",
                Notebook = 9,
                Golden = "scores",
                Hyperparameters =
                [
                    new("top", 1, null, "a share of the classes; the paper chooses it on validation images, and takes all without"),
                ],
            },
            fit => images => Scores.LogitGap(fit.Logits(images), Math.Max(2, (int)(fit["top"] * fit.Known.NumClasses)))),
        new ImageDetector(
            new()
            {
                Key = "min-shifted-l1",
                Name = "Min-shifted L1",
                Family = DetectorFamily.ZeroShot,
                Authors = "Adaloglou et al.",
                Title = "Adapting Contrastive Language-Image Pretrained (CLIP) Models for Out-of-Distribution Detection",
                Year = 2024,
                Url = new Uri("https://arxiv.org/abs/2303.05828"),
                ReferenceCode = "HHU-MMBS/plp-official-tmlr2024",
                Equation = "Σ (z − min z)",
                Needs = DetectorInputs.Logits,
                Member = "Scores.MinShiftedL1",
                Notebook = 9,
                Golden = "scores",
            },
            fit => images => Scores.MinShiftedL1(fit.Logits(images))),
    ];
}
